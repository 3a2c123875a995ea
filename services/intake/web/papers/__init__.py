"""Official papers as they leave the desk: a page to print and a PDF."""
