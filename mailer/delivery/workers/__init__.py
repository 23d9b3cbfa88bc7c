"""The threads that hand messages over, and the connections that they share."""
