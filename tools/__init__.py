"""What makes the pictures of this repository; no part of the program."""
