"""The command line: declared in `app`, done in the other modules, which load only when they are needed."""
