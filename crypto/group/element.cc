#include "crypto/group/element.h"
