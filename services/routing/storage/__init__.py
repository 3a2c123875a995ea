"""What routing keeps: cases, tasks and the answers it was given. No decisions."""
