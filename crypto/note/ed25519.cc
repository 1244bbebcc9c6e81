#include "crypto/note/ed25519.h"
