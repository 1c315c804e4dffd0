"""Licences of datasets: how they are written here and on cards."""

from __future__ import annotations

import re

from fewmask.errors import ArgumentError

UNKNOWN = "unknown"
"""What is written where nobody knows; it has to be written out."""

_KNOWN = (
    "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC-BY-2.0", "CC-BY-2.5", "CC-BY-3.0",
    "CC-BY-4.0", "CC-BY-NC-2.0", "CC-BY-NC-3.0", "CC-BY-NC-4.0", "CC-BY-NC-ND-3.0",
    "CC-BY-NC-ND-4.0", "CC-BY-NC-SA-2.0", "CC-BY-NC-SA-3.0", "CC-BY-NC-SA-4.0", "CC-BY-ND-4.0",
    "CC-BY-SA-3.0", "CC-BY-SA-4.0", "CC0-1.0", "CDLA-Permissive-1.0", "CDLA-Permissive-2.0",
    "CDLA-Sharing-1.0", "GPL-3.0", "MIT", "ODbL", "ODC-By", "PDDL", UNKNOWN,
)  # fmt: skip
"""Those that cards on the Hugging Face Hub know, in the spelling of SPDX where it has one."""

_LOOKS_LIKE_ONE = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+-]{1,63}")


def check_licence(text: str) -> str:
    """Returns a licence in its usual spelling.

    Any identifier will do, because no list of licences is complete.

    Args:
        text: `CC-BY-4.0`, in capitals or not; `unknown`.

    Raises:
        ArgumentError: If it does not look like the identifier of a licence.

    Example:

    >>> check_licence("cc-by-4.0"), check_licence("LicenseRef-Clinic")
    ('CC-BY-4.0', 'LicenseRef-Clinic')
    """
    known = {licence.lower(): licence for licence in _KNOWN}
    if not _LOOKS_LIKE_ONE.fullmatch(text):
        raise ArgumentError(
            "--license",
            "the identifier of a licence, such as CC-BY-4.0, CC0-1.0 or MIT, or 'unknown'",
            repr(text),
            "Identifiers are listed at https://spdx.org/licenses",
        )
    return known.get(text.lower(), text)


def card_licence(licence: str) -> dict[str, str]:
    """Returns how the front matter of a card names a licence.

    Example:

    >>> card_licence("CC-BY-4.0"), card_licence("Clinic-1.0")
    ({'license': 'cc-by-4.0'}, {'license': 'other', 'license_name': 'clinic-1.0'})
    """
    if licence in _KNOWN:
        return {"license": licence.lower()}
    return {"license": "other", "license_name": licence.lower()}
