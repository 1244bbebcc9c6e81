#include "crypto/note/signed_message.h"
