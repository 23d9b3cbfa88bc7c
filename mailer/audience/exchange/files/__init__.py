"""Files of lists as text: encodings, archives, samples."""
