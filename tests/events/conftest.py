import sys
from pathlib import Path

# The strategies stand beside the tests; importmode=importlib does not add this folder itself.
sys.path.insert(0, str(Path(__file__).parent))
