CLASSES = ("silence", "unknown", "yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go")
