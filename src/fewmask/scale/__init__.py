"""The scale a model sees at: how an image of any size comes to the model's pixels, and back.

There are two rules. `Frame` lays the whole image into a square; `Pixels` scales every image by
the same factor and cuts it into tiles. The same arithmetic stands in `model.keras` and in
`model.onnx`; the files here are the reference.
"""

from fewmask.scale.frame import Frame as Frame
from fewmask.scale.frame import frame_placement as frame_placement
from fewmask.scale.frame import into_frame as into_frame
from fewmask.scale.frame import out_of_frame as out_of_frame
from fewmask.scale.frame import weights_into_frame as weights_into_frame
from fewmask.scale.frame import weights_out_of_frame as weights_out_of_frame
from fewmask.scale.pixels import Pixels as Pixels
from fewmask.scale.pixels import into_pixels as into_pixels
from fewmask.scale.pixels import out_of_pixels as out_of_pixels
from fewmask.scale.pixels import pixels_placement as pixels_placement
from fewmask.scale.pixels import share_of_later as share_of_later
from fewmask.scale.pixels import weights_into_tiles as weights_into_tiles
from fewmask.scale.pixels import weights_out_of_tiles as weights_out_of_tiles
from fewmask.scale.resampling import resampling_weights as resampling_weights
from fewmask.scale.rule import ScaleRule as ScaleRule
from fewmask.scale.rule import rule_from_json as rule_from_json
