"""What people look at: the summary of a segmentation, in the terminal and as HTML."""
