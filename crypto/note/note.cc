#include "crypto/note/note.h"
