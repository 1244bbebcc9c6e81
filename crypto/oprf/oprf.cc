#include "crypto/oprf/oprf.h"
