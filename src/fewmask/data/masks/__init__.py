"""Masks understood: which stored value or colour is which class, and why."""

from fewmask.data.masks.decisions import MaskDecisions as MaskDecisions
from fewmask.data.masks.encoding import MaskEncoding as MaskEncoding
from fewmask.data.masks.legend import Legend as Legend
from fewmask.data.masks.legend import find_legend as find_legend
from fewmask.data.masks.understand import understand_masks as understand_masks
from fewmask.data.masks.understanding import Understanding as Understanding
