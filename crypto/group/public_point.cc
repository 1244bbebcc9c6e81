#include "crypto/group/public_point.h"
