#include "crypto/disclosure/derive.h"
