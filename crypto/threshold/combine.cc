#include "crypto/threshold/combine.h"
