#include "crypto/group/scalar.h"
