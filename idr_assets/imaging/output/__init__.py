"""The output image: create it, write planes, read them back, prove where pixels came from. Knows no segmentation."""
