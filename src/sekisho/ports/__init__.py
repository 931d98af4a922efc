"""What we need from the world: Protocols and the frozen values that cross them."""
