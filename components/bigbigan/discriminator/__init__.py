"""D: pairs of an image and a latent -> scores. One file per kind."""
