"""The embedded dataset: pictures of chairs that this package draws by itself."""

from fewmask.data.demo.gallery import DEMO_NAME as DEMO_NAME
from fewmask.data.demo.gallery import draw_chairs as draw_chairs
