// expat, as Debian's libexpat1-dev installs it.
#include <expat.h>
