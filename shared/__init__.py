"""What every service stands on. Nothing here knows one service's business."""
