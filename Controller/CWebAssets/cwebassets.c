#include "cwebassets.h"

// The build notices when what is embedded changes, but not when it first appears: packaging/web-build also writes this header.
#if __has_include("../../.build/web/pack/assets.h")
#include "../../.build/web/pack/assets.h"
#endif

#pragma clang diagnostic ignored "-Wc23-extensions"

#if defined(ANSFLOW_WEB_ASSETS) && __has_embed("../../.build/web/pack/assets.bin")
const unsigned char ansflow_web_assets[] = {
#embed "../../.build/web/pack/assets.bin"
};
const size_t ansflow_web_assets_length = sizeof ansflow_web_assets;
#else
const unsigned char ansflow_web_assets[] = {0};
const size_t ansflow_web_assets_length = 0;
#endif
