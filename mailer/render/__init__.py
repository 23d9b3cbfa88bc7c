"""Issue -> Rendition."""
