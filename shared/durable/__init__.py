"""The only code that knows the durable SDK: typed calls, plain JSON on the wire, one clock."""
