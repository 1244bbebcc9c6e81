#include "crypto/disclosure/context.h"
