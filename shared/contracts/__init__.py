"""What workflows, their activities and their callers say to each other: one module a workflow."""
