"""What one side of a PPP link said in its control packets (decoding section 10.4).

Knows codes and options, no tunnel.  Called by ``relate``, packet by packet; of an authentication packet
nothing is kept but what the rules name.
"""

from libc.stdlib cimport free


cdef void negotiation_free(Negotiation* negotiation) noexcept nogil:
    if negotiation == NULL:
        return
    free(negotiation.terminate_reason)
    free(negotiation.name)
    free(negotiation)
