"""The files of a form: looked into when the form is, and each that is turned away told by name (MSG-13)."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.base import File
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from marketplace.files import KINDS, Checked, Turned, check
from marketplace.policy import Settings
from marketplace.policy_words import FILE_LABELS, listed


class FilesInput(forms.FileInput):
    """A field that takes several files; on a phone it offers the camera too."""

    allow_multiple_selected = True

    def value_from_datadict(
        self, data: Mapping[str, Any], files: Mapping[str, Any], name: str
    ) -> "list[File[Any]]":
        return files.getlist(name) if isinstance(files, MultiValueDict) else list(files.get(name) or ())


class FilesField(forms.Field):
    """Files under the rules of a policy; cleaned it is a list of `Checked`.

    After it has been cleaned, `turned` are those that were not taken, and `fine` the names of the others, which have to
    be chosen again when the form comes back: a browser does not send them twice.
    """

    widget = FilesInput

    def __init__(self, rules: Settings, **kwargs: Any) -> None:
        self.rules = rules
        self.turned: list[Turned] = []
        self.fine: list[str] = []
        kwargs.setdefault("label", gettext_lazy("Archivos"))
        super().__init__(**{"required": False, **kwargs})
        self.widget.attrs |= {"multiple": True, "accept": self.accept}

    @property
    def accept(self) -> str:
        """What a browser offers to choose from; any picture, or a phone would not offer its camera."""
        kinds = [KINDS[kind] for kind in self.rules.attachment_types]
        told = ["image/*"] if any(kind.is_picture for kind in kinds) else []
        return ",".join(told + [ending for kind in kinds for ending in kind.extensions])

    @property
    def hint(self) -> str:
        """What may be sent, in words."""
        rules = self.rules
        told = {
            "most": rules.attachments_most,
            "mb": rules.attachment_mb,
            "types": listed([str(FILE_LABELS[kind]) for kind in rules.attachment_types]),
        }
        if rules.attachments_most == 1:
            return _("Uno, de %(mb)s MB como mucho: %(types)s.") % told
        return _("%(most)s como mucho, de hasta %(mb)s MB cada uno: %(types)s.") % told

    def clean(self, value: "list[File[Any]]") -> list[Checked]:
        """Raises ValidationError with a sentence for each file that is not taken."""
        rules = self.rules
        taken, self.turned = check(
            value,
            types=rules.attachment_types,
            most_mb=rules.attachment_mb,
            most_files=rules.attachments_most,
        )
        self.fine = [one.name for one in taken]
        if self.turned:
            raise ValidationError([f"{one.name}: {one.why}" for one in self.turned])
        return taken
