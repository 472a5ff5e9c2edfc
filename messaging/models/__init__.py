"""What is said to people: notices, which tell; conversations, in which they answer; the mails by which they do."""

from messaging.models.attachments import Attachment, AttachmentDownload
from messaging.models.conversations import CameBy, Message, Thread
from messaging.models.letters import Correspondent, MailRefusal, NotTaken, ReceivedMail
from messaging.models.notes import OrderNote
from messaging.models.notices import Audience, BounceRefusal, NotHeard, Notice, NoticeMark, NoticeSeen
from messaging.models.templates import Template

__all__ = [
    "Attachment",
    "AttachmentDownload",
    "Audience",
    "BounceRefusal",
    "CameBy",
    "Correspondent",
    "MailRefusal",
    "Message",
    "NotHeard",
    "NotTaken",
    "Notice",
    "NoticeMark",
    "NoticeSeen",
    "OrderNote",
    "ReceivedMail",
    "Template",
    "Thread",
]
