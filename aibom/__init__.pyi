from aibom.api.copying import VerifiedFile as VerifiedFile
from aibom.api.errors import VerificationError as VerificationError
from aibom.api.opening import VerifiedModel as VerifiedModel
from aibom.api.opening import open_verified as open_verified
from aibom.api.opening import verified as verified
from aibom.api.scan import scan as scan
from aibom.api.sign import sign as sign
from aibom.api.verify import verify as verify
from aibom.domain.check import Outcome as Outcome
from aibom.domain.errors import UnreadableError as UnreadableError
from aibom.domain.report import Report as Report
from aibom.domain.verification import Verification as Verification
from aibom.workflows.sign import Signed as Signed

__version__: str
