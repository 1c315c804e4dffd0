"""Image and mask files: the one place that knows formats, orientation and damage."""

from fewmask.data.imageio.raster import usual_suffix as usual_suffix
from fewmask.data.imageio.reading import DEFAULT_MAX_PIXELS as DEFAULT_MAX_PIXELS
from fewmask.data.imageio.reading import IMAGE_SUFFIXES as IMAGE_SUFFIXES
from fewmask.data.imageio.reading import MaskValues as MaskValues
from fewmask.data.imageio.reading import encode_jpeg as encode_jpeg
from fewmask.data.imageio.reading import encode_png as encode_png
from fewmask.data.imageio.reading import open_picture as open_picture
from fewmask.data.imageio.reading import read_image as read_image
from fewmask.data.imageio.reading import read_mask_values as read_mask_values
from fewmask.data.imageio.reading import read_size as read_size
from fewmask.data.imageio.reading import resize as resize
from fewmask.data.imageio.reading import write_png as write_png
from fewmask.data.imageio.tiff import encode_tiff as encode_tiff
