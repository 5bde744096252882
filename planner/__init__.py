"""The school-layout planner."""
