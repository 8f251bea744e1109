"""How we tell it: a `Report` in, bytes out; and the checks of any bill of materials. Pure."""
