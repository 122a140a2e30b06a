# Adds to a module's manifest, one object of JSON, the package that the module is in.
file(READ ${manifest} object)
string(REGEX REPLACE "^{" "{\n  \"package\": \"${package}\"," object "${object}")
file(WRITE ${manifest} "${object}")
