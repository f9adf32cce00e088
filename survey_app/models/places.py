"""Tables of districts and what they are divided into, of communities and property companies."""

from datetime import date

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from survey_app.models.constraints import one_of
from survey_app.models.kept_files import KeptFile
from survey_app.models.vocabulary import ListStatus
from survey_app.storage.database import Base


class District(Base):
    """A district (区), the region within which communities are ranked."""

    __tablename__ = "district"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    english_name: Mapped[str | None]
    # Telephone of its housing bureau: residents read it on the first screen.
    telephone: Mapped[str | None]
    # Its polygons, as `survey_app.register.boundaries` writes them.
    boundary: Mapped[str | None]
    # Printed on posters as it is given, such as in Mongolian; a community's own line goes before it.
    second_language_line: Mapped[str | None]
    sort_key: Mapped[str]


class Subdistrict(Base):
    """A subdistrict (街道) of a district; a town (镇) or a sumu (苏木) is one too."""

    __tablename__ = "subdistrict"
    __table_args__ = (UniqueConstraint("district_id", "name", name="uq_subdistrict_name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    district_id: Mapped[int] = mapped_column(ForeignKey("district.id"))
    name: Mapped[str]
    english_name: Mapped[str | None]
    sort_key: Mapped[str]

    district: Mapped[District] = relationship()


class Neighbourhood(Base):
    """A neighbourhood (社区) of a subdistrict, which one residents' committee looks after."""

    __tablename__ = "neighbourhood"
    __table_args__ = (UniqueConstraint("subdistrict_id", "name", name="uq_neighbourhood_name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    subdistrict_id: Mapped[int] = mapped_column(ForeignKey("subdistrict.id"))
    name: Mapped[str]
    english_name: Mapped[str | None]
    sort_key: Mapped[str]

    subdistrict: Mapped[Subdistrict] = relationship()


class PropertyCompany(Base):
    """A property company (物业服务企业)."""

    __tablename__ = "property_company"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    english_name: Mapped[str | None]
    sort_key: Mapped[str]


class Community(Base):
    """A residential community (小区). `number` is the bureau's own identifier for it."""

    __tablename__ = "community"
    __table_args__ = (
        CheckConstraint("households_delivered >= 0", name="households_delivered"),
        CheckConstraint("households_occupied >= 0", name="households_occupied"),
        CheckConstraint("households_owners >= 0", name="households_owners"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(unique=True)
    district_id: Mapped[int] = mapped_column(ForeignKey("district.id"), index=True)
    # Within the district; NULL where its list does not say.
    subdistrict_id: Mapped[int | None] = mapped_column(ForeignKey("subdistrict.id"), index=True)
    neighbourhood_id: Mapped[int | None] = mapped_column(ForeignKey("neighbourhood.id"), index=True)
    company_id: Mapped[int | None] = mapped_column(ForeignKey("property_company.id"), index=True)
    name: Mapped[str]
    english_name: Mapped[str | None]
    # A missing number of households is not zero: it stays NULL and keeps its community out of what needs it.
    households_delivered: Mapped[int | None]
    households_occupied: Mapped[int | None]
    households_owners: Mapped[int | None]
    second_language_line: Mapped[str | None]
    sort_key: Mapped[str] = mapped_column(index=True)

    district: Mapped[District] = relationship()
    subdistrict: Mapped[Subdistrict | None] = relationship()
    neighbourhood: Mapped[Neighbourhood | None] = relationship()
    company: Mapped[PropertyCompany | None] = relationship()


class PropertyContract(Base):
    """Contract by which a property company is in charge of a community, from its first local day to its last.

    Those of one community never overlap. `Community.company_id` repeats whose contract is in force.
    """

    __tablename__ = "property_contract"
    __table_args__ = (CheckConstraint("starts_on <= ends_on", name="days"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    community_id: Mapped[int] = mapped_column(ForeignKey("community.id"), index=True)
    company_id: Mapped[int] = mapped_column(ForeignKey("property_company.id"), index=True)
    # NULL where the company was in charge before contracts were recorded.
    starts_on: Mapped[date | None]
    # NULL until further notice.
    ends_on: Mapped[date | None]

    company: Mapped[PropertyCompany] = relationship()


class ColumnHeader(Base):
    """What the lists of one source, such as a district, write above a column of communities."""

    __tablename__ = "column_header"
    __table_args__ = (UniqueConstraint("source", "written", name="uq_column_header_written"),)

    source: Mapped[str] = mapped_column(primary_key=True)
    field: Mapped[str] = mapped_column(primary_key=True)
    written: Mapped[str]


class CommunityList(KeptFile):
    """A list of communities that is read, compared and imported by jobs; an account has one at a time."""

    __tablename__ = "community_list"
    __table_args__ = (one_of("status", ListStatus),)

    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), primary_key=True)
    source: Mapped[str]
