"""For people who test their own factory: a workshop with a real repository, scripted models, and power cuts."""
