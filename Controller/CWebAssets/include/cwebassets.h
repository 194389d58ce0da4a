#ifndef ANSFLOW_CWEBASSETS_H
#define ANSFLOW_CWEBASSETS_H

#include <stddef.h>

/// The web page's files in one piece, as packaging/web-build packs them; empty where the program was built without them.
const unsigned char *ansflow_web_assets(size_t *length);

#endif
