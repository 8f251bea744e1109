from django.db import models


class Model(models.Model):
    """A person who walks for an agency; not a neural one."""

    name = models.CharField(max_length=80, default="openai/whisper")
    agency = models.ForeignKey("agencies.Agency", on_delete=models.CASCADE)

    class Meta:
        verbose_name_plural = "models:/fashion/1"

    def load(self, path="checkpoints/model.pt"):
        return self.pipeline("resize", model="thumbnail/small")

    def pipeline(self, task, model=None):
        return (task, model, self.name)

    @classmethod
    def create(cls, model="gpt-image-1", **kw):
        return cls.objects.create(name=model, **kw)


Model.create(model="dall-e-3")
