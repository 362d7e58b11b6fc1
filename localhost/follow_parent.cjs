// Preloaded into Azurite: when the parent is gone, however it went, standard input ends, and Azurite stops as it should.
process.stdin.on("end", () => process.kill(process.pid, "SIGTERM")).resume();
process.stdin.unref(); // Waiting for that must not keep Azurite from ending by itself.
