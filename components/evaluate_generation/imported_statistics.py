"""Statistics of a reference that others have computed: the usual .npz of FID, with `mu` (D) and `sigma` (D×D)."""

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from components.artifacts.errors import UserError
from components.artifacts.files import sha256
from components.measures.frechet_distance import Moments


@dataclass(frozen=True)
class ImportedStatistics:
    """Moments in float64, and the file's sha256. How many images they are of, and which, the file does not say."""

    moments: Moments
    sha256: str

    def to(self, device: torch.device) -> "ImportedStatistics":
        return ImportedStatistics(self.moments.to(device), self.sha256)


def read_statistics(path: Path, features: int) -> ImportedStatistics:
    """Args:
        features: D, of the feature network in use. That the file is of the same network only its maker can know.

    Raises: UserError, if the file is absent, torn, or does not hold finite moments of so many features.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            content = {name: np.asarray(file[name]) for name in ("mu", "sigma")}
    except FileNotFoundError:
        raise UserError(f"{path} does not exist: give the path of an .npz file with mu and sigma") from None
    except KeyError as error:
        raise UserError(f"{path} lacks {error.args[0].split()[0]}: give an .npz file with mu and sigma") from None
    except (ValueError, EOFError, zipfile.BadZipFile, AttributeError, TypeError) as error:
        raise UserError(f"{path} is torn or no .npz file ({error}): give one with mu and sigma") from None
    mean, covariance = content["mu"], content["sigma"]
    for name, array, shape in (("mu", mean, (features,)), ("sigma", covariance, (features, features))):
        if array.shape != shape or array.dtype.kind != "f":
            given = f"{'×'.join(map(str, array.shape)) or 'scalar'} {array.dtype}"
            raise UserError(
                f"{path}: {name} is {given}; the feature network in use has {features} features, so it should be "
                f"{'×'.join(map(str, shape))} of floats: give statistics of the same network"
            )
        if not np.isfinite(array).all():
            raise UserError(f"{path}: {name} holds numbers that are not finite: compute the statistics anew")
    if not np.allclose(covariance, covariance.T, rtol=1e-3, atol=1e-6 * float(np.abs(covariance).max())):
        raise UserError(f"{path}: sigma is not symmetric, so it is no covariance: compute the statistics anew")
    moments = Moments(torch.from_numpy(mean.astype(np.float64)), torch.from_numpy(covariance.astype(np.float64)))
    return ImportedStatistics(moments, sha256(path))
