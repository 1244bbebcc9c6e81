#include "crypto/seal/seal.h"
