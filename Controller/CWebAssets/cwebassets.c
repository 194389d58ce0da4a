#include "cwebassets.h"

// The build notices when what is embedded changes, but not when it first appears: packaging/web-build also writes this header.
#if __has_include("../../.build/web/pack/assets.h")
#include "../../.build/web/pack/assets.h"
#endif

#pragma clang diagnostic ignored "-Wc23-extensions"

#if defined(ANSFLOW_WEB_ASSETS) && __has_embed("../../.build/web/pack/assets.bin")
static const unsigned char assets[] = {
#embed "../../.build/web/pack/assets.bin"
};
static const size_t assets_length = sizeof assets;
#else
static const unsigned char assets[] = {0};
static const size_t assets_length = 0;
#endif

const unsigned char *ansflow_web_assets(size_t *length) {
    *length = assets_length;
    return assets;
}
