#include "crypto/disclosure/share.h"
