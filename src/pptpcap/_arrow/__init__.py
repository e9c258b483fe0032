"""Tables as Arrow streams, without a library: columns as Arrow has them, and the C data interface."""
