"""G: z, N×Z -> images, N×C×H×W in [-1, 1]. One file per kind."""
