#include "crypto/threshold/sharing.h"
