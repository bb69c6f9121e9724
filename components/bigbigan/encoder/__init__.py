"""E: images -> z. A head over a trunk, images, N×C×H×W -> features, N×F; one file per trunk."""
