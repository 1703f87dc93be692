"""The volunteers' pages (长辈版): one item, three big answers."""
