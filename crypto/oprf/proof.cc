#include "crypto/oprf/proof.h"
