#: the version of jiki-core, which `Plugin.core` is compared with
__version__ = "1.0.0"
